import { runCompiled } from './run-compiled.mjs';

runCompiled('validation.js');
