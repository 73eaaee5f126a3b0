import { Body, Controller, Get, HttpCode, type ExecutionContext, Post } from '@nestjs/common';
import { SkipThrottle, Throttle } from '@nestjs/throttler';
import { IsEmail, IsString } from 'class-validator';

// Controllers of an application on @nestjs/throttler, as they stood before it moved. All that the move asks of them is @Public().

const MINUTE = 60_000;

export class LoginDto {
  @IsEmail()
  email!: string;

  @IsString()
  password!: string;
}

/** Paying customers get more; who pays, a header says here. */
const limitOf = (context: ExecutionContext): number => (headersOf(context)['x-plan'] === 'pro' ? 5 : 2);

/** As a team would look a number up that it keeps elsewhere. */
const ttlOf = (): Promise<number> => Promise.resolve(MINUTE);

export const headersOf = (context: ExecutionContext): Record<string, string> =>
  context.switchToHttp().getRequest<{ headers: Record<string, string> }>().headers;

// The throttler types requests as records of anything.
interface Asked {
  readonly headers?: Record<string, string>;
  readonly body?: { readonly email?: string };
}

const accountOf = ({ headers }: Asked): string => headers?.['x-account'] ?? 'nobody';
const emailOf = ({ body }: Asked): string => body?.email ?? 'nobody';

@Controller('cats')
export class CatsController {
  @Get()
  list(): object {
    return { cats: [] };
  }

  @Get('other')
  other(): object {
    return { cats: [] };
  }

  @Get('search')
  @Throttle({ medium: { limit: 2, ttl: MINUTE } })
  search(): object {
    return { cats: [] };
  }

  /** Only the number changes; the window stays the module's. */
  @Get('random')
  @Throttle({ short: { limit: 1 } })
  random(): object {
    return { name: 'Tom' };
  }

  @Get('wide')
  @Throttle({ short: { limit: 50, ttl: MINUTE } })
  wide(): object {
    return {};
  }

  @Get('planned')
  @Throttle({ short: { limit: limitOf, ttl: ttlOf } })
  planned(): object {
    return {};
  }

  @Get('mine')
  @Throttle({ short: { limit: 1, ttl: MINUTE, getTracker: accountOf } })
  mine(): object {
    return {};
  }

  @Get('penalty')
  @Throttle({ short: { limit: 1, ttl: 500, blockDuration: 1_500 } })
  penalty(): object {
    return {};
  }
}

const sharedKey = (_context: ExecutionContext, tracker: string, name: string): string => `${name}-${tracker}`;

/** Two routes, one counter. */
@Controller('exports')
@Throttle({ short: { limit: 2, ttl: MINUTE, generateKey: sharedKey } })
export class ExportsController {
  @Get('pdf')
  pdf(): object {
    return {};
  }

  @Get('csv')
  csv(): object {
    return {};
  }
}

@Controller('status')
@SkipThrottle({ short: true, medium: true, long: true })
export class StatusController {
  @Get()
  status(): object {
    return { up: true };
  }

  /** The rest of the controller is not limited; this is. */
  @Get('deep')
  @SkipThrottle({ short: false })
  deep(): object {
    return { up: true };
  }
}

@Controller('reports')
export class ReportsController {
  /** Without the short limit; the others stay. */
  @Get()
  @SkipThrottle({ short: true })
  list(): object {
    return {};
  }
}

@Controller('auth')
export class AuthController {
  @Post('login')
  @HttpCode(200)
  @Throttle({ short: { limit: 2, ttl: MINUTE, getTracker: emailOf } })
  login(@Body() { email }: LoginDto): object {
    return { email };
  }
}

@Controller('plain')
export class PlainController {
  @Get()
  plain(): object {
    return {};
  }
}

export const CONTROLLERS = [
  CatsController,
  ExportsController,
  StatusController,
  ReportsController,
  AuthController,
];
