import { defineScopes } from 'nestjs-api-security';

/** Said once: the consent page shows the words, the API's routes ask for the names. */
export const SCOPES = defineScopes({
  'users:read': 'See the list of users',
  'users:write': 'Add users to the list',
});
