import { runCompiled } from './run-compiled.mjs';

runCompiled('boot-time.js');
