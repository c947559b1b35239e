import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { Counting, IdentityForm, NameRule, OutputLimits, PublicShape } from '../../kit/index.js';

const JSON_SCHEMA = { type: 'object', additionalProperties: true, description: 'JSON Schema' } as const;
const OPEN = { type: 'object', additionalProperties: true } as const;

/** The catalogue's entry of a plugin, for the API's description; the entries come from the plugins. */
export class PluginView implements PublicShape {
  @ApiProperty({ example: 'webhook' })
  id!: string;
  @ApiProperty({ enum: ['input', 'output'] })
  kind!: 'input' | 'output';
  @ApiProperty()
  name!: string;
  @ApiProperty()
  version!: string;
  @ApiProperty()
  description!: string;
  @ApiProperty(JSON_SCHEMA)
  settings!: Record<string, unknown>;
  @ApiProperty(JSON_SCHEMA)
  credentials!: Record<string, unknown>;
  @ApiPropertyOptional(JSON_SCHEMA)
  connectionSettings?: Record<string, unknown>;
  @ApiPropertyOptional({
    type: 'array',
    items: OPEN,
    description: 'Accepted identity types and their encoding',
  })
  identities?: readonly IdentityForm[];
  @ApiPropertyOptional({
    enum: ['optional'],
    description: 'optional: attributes may be chosen for each connection; absent: it takes none',
  })
  attributes?: 'optional';
  @ApiPropertyOptional(OPEN)
  limits?: OutputLimits;
  @ApiPropertyOptional(OPEN)
  naming?: NameRule;
  @ApiPropertyOptional({ ...OPEN, description: "What the partner's count is of, and how exact" })
  counting?: Counting;
  @ApiProperty({ type: [String] })
  capabilities!: readonly string[];
}
