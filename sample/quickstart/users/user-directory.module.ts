import { Module } from '@nestjs/common';

import { UserDirectory } from './user-directory.service.js';

/** Apart from the controller, so that the security configuration can ask it for a user's current rights. */
@Module({ providers: [UserDirectory], exports: [UserDirectory] })
export class UserDirectoryModule {}
