import { Body, Controller, HttpCode, Logger, Post, type Type, UseGuards } from '@nestjs/common';

import { ApiKeyAuth } from '../authentication/api-key/api-key-auth.decorator.js';
import { ApiKeyService } from '../authentication/api-key/api-key.service.js';
import { JwtAuth } from '../authentication/jwt/jwt-auth.decorator.js';
import { Public } from '../authentication/public.decorator.js';
import { ConfigurationProblems } from '../configuration/configuration-problems.js';
import { type ErrorDetail, SecurityError } from '../errors/security-error.js';
import { BodyLimit } from '../http/body-limit.decorator.js';
import { compileLimit, type LimitSpec } from '../policy/limit-spec.js';
import { RateLimit } from '../rate-limit/rate-limit.decorator.js';
import { type ApiKeyReportSettings, REPORT_KEYS_SCOPE } from './api-key-routes.options.js';
import type { OpenApiMetadata } from './openapi-metadata.js';
import { createReportProofGuard } from './report-proof.guard.js';
import { type KeyReportDto, KeyReportsDto, ReceivedReportsDto } from './reports.dto.js';

/** The most that 100 reports with long addresses take. */
const MAX_BODY = '300kb';

/** The controller of the endpoint for secret scanners; a class for each call, because decorators hold the options. */
export function createReportsController(settings: ApiKeyReportSettings): Type {
  const { path, schemes, limit, verify, revoke, onReport } = settings;
  const logger = new Logger('Security');

  @Controller(path)
  @RateLimit(byAddress(limit))
  @BodyLimit(MAX_BODY, { raw: verify !== undefined })
  class ApiKeyReportsController {
    constructor(private readonly apiKeys: ApiKeyService) {}

    @Post()
    @HttpCode(200)
    async report(@Body() { reports }: KeyReportsDto): Promise<ReceivedReportsDto> {
      const found = proofsOf(reports);
      // One after the other: a batch takes no more of the store than a single request.
      for (const [index, proof] of found.entries()) await this.#take(proof, reports[index]!);
      return { received: reports.length };
    }

    async #take(proof: Proof, { source, url }: KeyReportDto): Promise<void> {
      const key = await this.apiKeys.reportExposed(proof, revoke === undefined ? {} : { revoke });
      if (!key || !onReport) return;
      try {
        await onReport({ key, source, url });
      } catch (error) {
        // An answer of its own would tell that the key is genuine.
        logger.error(`onReport failed: ${error instanceof Error ? error.message : 'unknown'}`);
      }
    }

    static _OPENAPI_METADATA_FACTORY(): OpenApiMetadata {
      return {
        report: { status: 200, type: ReceivedReportsDto, summary: 'Report API keys that were found' },
      };
    }
  }
  if (verify) {
    Public()(ApiKeyReportsController);
    UseGuards(createReportProofGuard(verify))(ApiKeyReportsController);
  } else {
    if (schemes.includes('api-key')) ApiKeyAuth(REPORT_KEYS_SCOPE)(ApiKeyReportsController);
    if (schemes.includes('jwt')) JwtAuth(REPORT_KEYS_SCOPE)(ApiKeyReportsController);
  }
  return ApiKeyReportsController;
}

type Proof = string | { readonly id: string; readonly sha256: string };

/** @throws SecurityError `VALIDATION_FAILED` if some report holds neither a key nor a proof of one, or both */
function proofsOf(reports: readonly KeyReportDto[]): Proof[] {
  const details: ErrorDetail[] = [];
  const proofs = reports.flatMap(({ key, id, sha256 }, index): Proof[] => {
    if (key !== undefined && id === undefined && sha256 === undefined) return [key];
    if (key === undefined && id !== undefined && sha256 !== undefined) return [{ id, sha256 }];
    const message = 'give the key, or its id and its sha256';
    details.push({ path: `reports[${index}]`, rule: 'apiKeyReport', message });
    return [];
  });
  if (details.length === 0) return proofs;
  throw new SecurityError('VALIDATION_FAILED', 'Validation failed', { details: details.slice(0, 20) });
}

/** A limit that counts addresses, unless it says whom it counts; one that is none is told at boot. */
function byAddress(limit: LimitSpec): LimitSpec {
  const compiled = compileLimit(limit, 'reports.limit', new ConfigurationProblems());
  if (!compiled) return limit;
  const { windowMs, ...rest } = compiled;
  return { by: 'address', ...rest, window: windowMs };
}
