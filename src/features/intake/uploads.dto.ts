import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, IsUUID } from 'class-validator';
import { UPLOAD_STATES, type UploadState } from '../../platform/database/index.js';
import { WorkspacePageQuery } from '../http/index.js';
import { PreflightView } from '../imports/index.js';
import type { UploadRow } from './upload-records.js';

export class UploadsQuery extends WorkspacePageQuery {
  @ApiPropertyOptional({ format: 'uuid' })
  @IsOptional()
  @IsUUID()
  inputId?: string;

  @ApiPropertyOptional({ enum: UPLOAD_STATES })
  @IsOptional()
  @IsIn(UPLOAD_STATES)
  state?: UploadState;
}

class UploadProblem {
  @ApiProperty()
  code!: string;
  @ApiProperty({ description: 'What happened, what was expected, what to do next' })
  message!: string;
}

export class UploadView {
  @ApiProperty({ format: 'uuid' })
  id!: string;
  @ApiProperty({ format: 'uuid' })
  workspaceId!: string;
  @ApiProperty({ format: 'uuid', nullable: true, type: String })
  inputId!: string | null;
  @ApiProperty({ enum: UPLOAD_STATES })
  state!: UploadState;
  @ApiProperty({ nullable: true, type: String, description: 'As the sender named it' })
  audienceName!: string | null;
  @ApiProperty({ description: 'So far' })
  receivedBytes!: number;
  @ApiProperty({ nullable: true, type: Number, description: 'What the sender says the size is' })
  declaredBytes!: number | null;
  @ApiProperty({ nullable: true, type: String, description: 'Hex, once the file is whole' })
  sha256!: string | null;
  @ApiProperty({ format: 'uuid', nullable: true, type: String })
  importId!: string | null;
  @ApiProperty({ type: PreflightView, nullable: true, description: 'What a dry run came to; not in lists' })
  preflight!: Record<string, unknown> | null;
  @ApiProperty({ type: UploadProblem, nullable: true })
  error!: UploadProblem | null;
  @ApiProperty({ format: 'date-time' })
  createdAt!: string;
  @ApiProperty({ format: 'date-time' })
  updatedAt!: string;
}

/** An upload as the API shows it. */
export function showUpload(row: Omit<UploadRow, 'report'> & Partial<Pick<UploadRow, 'report'>>): UploadView {
  const { id, workspaceId, inputId, state, audienceName, receivedBytes, declaredBytes } = row;
  return {
    id,
    workspaceId,
    inputId,
    state,
    audienceName,
    receivedBytes,
    declaredBytes,
    sha256: row.sha256,
    importId: row.importId,
    preflight: row.report ?? null,
    error: row.error,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}
