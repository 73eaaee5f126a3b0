import 'reflect-metadata';

const PREFIX = 'nestjs-api-security:';

/** What decorators write, by the name under which the compiler reads it. */
export type PolicyMetadataKey =
  | 'public'
  | 'schemes'
  | 'scopes'
  | 'roles'
  | 'userOnly'
  | 'stepUp'
  | 'dpopRequired'
  | 'rateLimit'
  | 'skipRateLimit'
  | 'headers'
  | 'body';

/** A decorator for a controller class or a handler method. */
export type PolicyDecorator = ClassDecorator & MethodDecorator;

/** Makes a decorator that sets one entry; the last one applied wins. */
export function setPolicyMetadata(key: PolicyMetadataKey, value: unknown): PolicyDecorator {
  return policyDecorator((target) => Reflect.defineMetadata(PREFIX + key, value, target));
}

/** Makes a decorator that adds to a list, so that stacked decorators all count. */
export function addPolicyMetadata(key: PolicyMetadataKey, value: unknown): PolicyDecorator {
  return policyDecorator((target) => {
    const present = (Reflect.getOwnMetadata(PREFIX + key, target) as unknown[] | undefined) ?? [];
    // Decorators run from the bottom up; the list reads from the top down.
    Reflect.defineMetadata(PREFIX + key, [value, ...present], target);
  });
}

function policyDecorator(write: (target: object) => void): PolicyDecorator {
  return (target: object, _key?: string | symbol, descriptor?: { value?: unknown }) =>
    write(descriptor ? (descriptor.value as object) : target);
}

/** Reads the metadata of one handler and of its controller, parents included. */
export class RouteMetadata {
  constructor(
    readonly controller: abstract new (...args: never[]) => unknown,
    readonly handler: (...args: never[]) => unknown,
  ) {}

  ofHandler<T>(key: PolicyMetadataKey): T | undefined {
    return Reflect.getMetadata(PREFIX + key, this.handler) as T | undefined;
  }

  ofController<T>(key: PolicyMetadataKey): T | undefined {
    return Reflect.getMetadata(PREFIX + key, this.controller) as T | undefined;
  }

  /** Whether something else than its class, such as a GraphQL schema, says what an input of the handler may be. */
  isTyped(_input: string | undefined): boolean {
    return false;
  }

  /** The handler's own entry, or else the controller's. */
  nearest<T>(key: PolicyMetadataKey): T | undefined {
    return this.ofHandler<T>(key) ?? this.ofController<T>(key);
  }

  /** Controller's and handler's lists together: demands only add up (R-AZ-01). */
  all<T>(key: PolicyMetadataKey): readonly T[] {
    return [...(this.ofController<T[]>(key) ?? []), ...(this.ofHandler<T[]>(key) ?? [])];
  }
}
