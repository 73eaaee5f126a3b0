import { PartialType } from '@nestjs/swagger';

import { CreateUserDto } from './create-user.dto.js';

/** Every field may be absent. `null` is refused all the same: the pipe takes "optional" at its word. */
export class UpdateUserDto extends PartialType(CreateUserDto) {}
