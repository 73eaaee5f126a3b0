import { runCompiled } from './run-compiled.mjs';

runCompiled('main.js');
