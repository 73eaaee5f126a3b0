import { runCompiled } from './run-compiled.mjs';

runCompiled('delegation.js');
