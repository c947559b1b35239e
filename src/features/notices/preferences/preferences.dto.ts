import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsIn, IsOptional, IsUUID, ValidateNested } from 'class-validator';
import {
  DEFAULT_CHOICE,
  DIGEST_SPANS,
  NOTICE_CHOICES,
  NOTICE_KINDS,
  type DigestSpan,
  type NoticeChoice,
  type NoticeKind,
} from '../../../domain/notices/index.js';

/** Choices that one call may hold. */
const MAX_CHOICES = 1000;

export class ChoiceBody {
  @ApiPropertyOptional({
    format: 'uuid',
    nullable: true,
    type: String,
    description: 'Absent or null: every workspace that has no choice of its own',
  })
  @IsOptional()
  @IsUUID()
  workspaceId?: string | null;

  @ApiProperty({ enum: NOTICE_KINDS })
  @IsIn(NOTICE_KINDS)
  kind!: NoticeKind;

  @ApiProperty({ enum: NOTICE_CHOICES, description: `${DEFAULT_CHOICE} where nothing is chosen` })
  @IsIn(NOTICE_CHOICES)
  choice!: NoticeChoice;
}

/** What is absent stays as it is. */
export class UpdatePreferences {
  @ApiPropertyOptional({ enum: DIGEST_SPANS, description: 'At the full hour, or daily at 06:00 UTC' })
  @IsOptional()
  @IsIn(DIGEST_SPANS)
  digestEvery?: DigestSpan;

  @ApiPropertyOptional({ type: [ChoiceBody], description: 'Replaces all choices' })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MAX_CHOICES)
  @ValidateNested({ each: true })
  @Type(() => ChoiceBody)
  choices?: ChoiceBody[];
}

export class ChoiceView {
  @ApiProperty({ format: 'uuid', nullable: true, type: String })
  workspaceId!: string | null;
  @ApiProperty({ enum: NOTICE_KINDS })
  kind!: NoticeKind;
  @ApiProperty({ enum: NOTICE_CHOICES })
  choice!: NoticeChoice;
}

export class PreferencesView {
  @ApiProperty({ format: 'uuid' })
  userId!: string;
  @ApiProperty({ enum: DIGEST_SPANS })
  digestEvery!: DigestSpan;
  @ApiProperty({ type: [ChoiceView] })
  choices!: ChoiceView[];
  @ApiProperty({ enum: NOTICE_CHOICES, description: 'Holds where nothing is chosen' })
  otherwise!: NoticeChoice;
}
