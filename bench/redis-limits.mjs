import { runCompiled } from './run-compiled.mjs';

runCompiled('redis-limits.js');
