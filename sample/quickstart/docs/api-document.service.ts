import { type INestApplication, Injectable, NotFoundException } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { applySecurityToDocument } from 'nestjs-api-security/openapi';

/** The OpenAPI document of the running application. */
@Injectable()
export class ApiDocument {
  #document: OpenAPIObject | undefined;

  /** Writes the document. Routes and their policies are known once the application is initialised. */
  build(app: INestApplication): void {
    const description = new DocumentBuilder()
      .setOpenAPIVersion('3.1.0')
      .setTitle('Quickstart user directory')
      .setVersion('1.0.0')
      .build();
    this.#document = applySecurityToDocument(app, SwaggerModule.createDocument(app, description));
  }

  get(): OpenAPIObject {
    if (!this.#document) throw new NotFoundException('The document has not been built');
    return this.#document;
  }
}
