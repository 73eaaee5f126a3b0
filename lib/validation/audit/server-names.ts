/** Names that are the server's to set, without case, dashes and underscores (R-IV-13). */
const SERVER_NAMES: ReadonlySet<string> = new Set([
  'id',
  'uuid',
  'owner',
  'ownerid',
  'tenant',
  'tenantid',
  'role',
  'roles',
  'permission',
  'permissions',
  'scope',
  'scopes',
  'admin',
  'isadmin',
  'isstaff',
  'issuperuser',
  'isroot',
  'isverified',
  'verified',
  'emailverified',
  'isemailverified',
  'createdat',
  'createdby',
  'createdon',
  'updatedat',
  'updatedby',
  'updatedon',
  'deletedat',
  'deletedby',
  'passwordhash',
  'balance',
  'credits',
]);

/** Whether a property of this name is usually not for clients to set. */
export function isServerName(name: string): boolean {
  return SERVER_NAMES.has(name.toLowerCase().replaceAll(/[-_]/g, ''));
}
