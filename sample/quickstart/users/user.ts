export const ROLES = ['admin', 'member'] as const;
export type Role = (typeof ROLES)[number];

export interface Address {
  street: string;
  city: string;
  country: string;
}

export interface User {
  id: string;
  email: string;
  name: string;
  role: Role;
  website?: string;
  birthDate?: string;
  /** Sanitised HTML. */
  bio?: string;
  address?: Address;
  /** RFC 3339, UTC. */
  createdAt: string;
}

/** What a role may do; the single place where roles become scopes. */
export const SCOPES_OF_ROLE: Readonly<Record<Role, readonly string[]>> = {
  admin: ['users:read', 'users:write'],
  member: ['users:read'],
};
