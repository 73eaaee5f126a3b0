import { runCompiled } from './run-compiled.mjs';

runCompiled('tokens.js');
