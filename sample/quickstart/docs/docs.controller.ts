import { createReadStream } from 'node:fs';

import { Controller, Get, Header, NotFoundException, Param, StreamableFile } from '@nestjs/common';
import { ApiExcludeController, type OpenAPIObject } from '@nestjs/swagger';
import { IsString, MaxLength } from 'class-validator';
import { Public, SecurityHeaders } from 'nestjs-api-security';

import { ApiDocument } from './api-document.service.js';
import { ASSETS, PAGE, PAGE_POLICY } from './swagger-ui-files.js';

class AssetNameDto {
  @IsString()
  @MaxLength(64)
  file!: string;
}

/**
 * The documentation as ordinary routes. `SwaggerModule.setup()` would register raw ones, which no guard sees
 * and whose page needs a policy that allows inline styles.
 */
@ApiExcludeController()
@Controller()
@Public()
export class DocsController {
  constructor(private readonly document: ApiDocument) {}

  @Get('docs')
  @SecurityHeaders({ contentSecurityPolicy: PAGE_POLICY })
  @Header('Content-Type', 'text/html; charset=utf-8')
  page(): string {
    return PAGE;
  }

  @Get('docs/assets/:file')
  @SecurityHeaders({ cacheControl: 'public, max-age=3600' })
  asset(@Param() { file }: AssetNameDto): StreamableFile {
    const asset = ASSETS.get(file);
    if (!asset) throw new NotFoundException('No such file');
    const { type, content } = asset;
    return typeof content === 'string'
      ? new StreamableFile(Buffer.from(content), { type })
      : new StreamableFile(createReadStream(content.path), { type });
  }

  @Get('docs-json')
  json(): OpenAPIObject {
    return this.document.get();
  }
}
