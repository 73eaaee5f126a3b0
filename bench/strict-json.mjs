import { runCompiled } from './run-compiled.mjs';

runCompiled('strict-json.js');
