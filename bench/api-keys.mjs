import { runCompiled } from './run-compiled.mjs';

runCompiled('api-keys.js');
