/** Where the three are, and what they know of each other; all of it comes from the environment. */
export interface Places {
  readonly authorizationServer: string;
  readonly usersApi: string;
  readonly printShop: string;
}

export const PRINT_SHOP = 'client_print-shop';
export const USERS_API = 'client_users-api';

/** @throws Error for a port that is none */
export function readPlaces(environment: Readonly<Record<string, string | undefined>>): Places {
  const port = (name: string, otherwise: number): number => {
    const value = Number(environment[name] ?? otherwise);
    if (Number.isInteger(value) && value > 0 && value <= 65_535) return value;
    throw new Error(`${name} must be a port from 1 to 65535.`);
  };
  return {
    authorizationServer: `http://localhost:${port('AUTHORIZATION_SERVER_PORT', 4001)}`,
    usersApi: `http://localhost:${port('USERS_API_PORT', 4002)}`,
    // Where an answer is sent may be no mere name (RFC 8252 §8.3).
    printShop: `http://127.0.0.1:${port('PRINT_SHOP_PORT', 4003)}`,
  };
}

/** @throws Error if it is missing */
export function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is missing; npm run sample:oauth sets it.`);
  return value;
}

export const portOf = (url: string): number => Number(new URL(url).port);
