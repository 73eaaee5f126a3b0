import { ThrottlerModule } from '@nestjs/throttler';
import { fromThrottlerOptions, Public, SecurityModule } from 'nestjs-api-security';

import { throttlerAppSuite } from './app-suite.js';
import { CONTROLLERS, PlainController } from './controllers.js';

throttlerAppSuite('an application on ThrottlerModule', (options) => ThrottlerModule.forRoot(options));

// All that the move asks of the controllers: to say that anybody may call them.
for (const controller of [...CONTROLLERS, PlainController]) Public()(controller);

throttlerAppSuite('R-RL-11 R-RL-14 the same application on SecurityModule', (options) =>
  SecurityModule.forRoot({ https: 'off', logger: false, rateLimit: fromThrottlerOptions(options) }),
);
