import { runCompiled } from './run-compiled.mjs';

runCompiled('limiter-storages.js');
