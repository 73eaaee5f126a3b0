import { runCompiled } from './run-compiled.mjs';

runCompiled('simulate/main.js');
