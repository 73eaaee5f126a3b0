import { partialOf } from 'nestjs-api-security';

import { CreateUserDto } from './create-user.dto.js';

/** Every field may be absent, and then is no key at all. `null` is refused: "optional" is taken at its word. */
export class UpdateUserDto extends partialOf(CreateUserDto) {}
