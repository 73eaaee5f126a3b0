import { prepareCheck } from './compiled/class-check.js';
import { conversionOf } from './compiled/class-conversion.js';
import { shapeOf } from './dto-shape.js';
import type { DtoClass } from './transformer-storage.js';

const compiled = new WeakSet<DtoClass>();

/**
 * Compiles a class and all classes that it names, so that no request has to. A class that class-validator cannot handle, such
 * as one with a rule for a property named `toString`, is left as it is: it fails when it is used, as it would there.
 */
export function compileDto(dto: DtoClass): void {
  if (compiled.has(dto)) return;
  compiled.add(dto);
  try {
    conversionOf(dto);
    prepareCheck(dto);
  } catch {
    return;
  }
  for (const { nested } of shapeOf(dto).byName.values()) nested?.classes.forEach(compileDto);
}
