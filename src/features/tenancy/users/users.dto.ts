import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsEmail, IsIn, IsOptional, IsUUID } from 'class-validator';
import { ROLES, type Role, type users } from '../../../platform/database/index.js';
import { IsName, PageQuery } from '../../http/index.js';

export type User = typeof users.$inferSelect;

/** A person who gets mail. Give a workspace, or an organization for all of its workspaces. */
export class CreateUser {
  @ApiPropertyOptional({ format: 'uuid', description: 'Needed where workspaceId is absent' })
  @IsOptional()
  @IsUUID()
  organizationId?: string;

  @ApiPropertyOptional({ format: 'uuid' })
  @IsOptional()
  @IsUUID()
  workspaceId?: string;

  @ApiProperty({ format: 'email' })
  @IsEmail({}, { message: 'email must be a mail address' })
  email!: string;

  @ApiProperty({ minLength: 1, maxLength: 255 })
  @IsName()
  name!: string;

  @ApiProperty({ enum: ROLES, description: 'Admins get mail when an import fails or an output is faulted' })
  @IsIn(ROLES)
  role!: Role;
}

export class UpdateUser {
  @ApiPropertyOptional({ format: 'email' })
  @IsOptional()
  @IsEmail({}, { message: 'email must be a mail address' })
  email?: string;

  @ApiPropertyOptional({ minLength: 1, maxLength: 255 })
  @IsOptional()
  @IsName()
  name?: string;

  @ApiPropertyOptional({ enum: ROLES })
  @IsOptional()
  @IsIn(ROLES)
  role?: Role;
}

export class UsersQuery extends PageQuery {
  @ApiPropertyOptional({ format: 'uuid' })
  @IsOptional()
  @IsUUID()
  workspaceId?: string;
}

export class UserView {
  @ApiProperty({ format: 'uuid' })
  id!: string;
  @ApiProperty({ format: 'uuid' })
  organizationId!: string;
  @ApiProperty({ type: String, format: 'uuid', nullable: true, description: 'null: the whole organization' })
  workspaceId!: string | null;
  @ApiProperty({ format: 'email' })
  email!: string;
  @ApiProperty()
  name!: string;
  @ApiProperty({ enum: ROLES })
  role!: Role;
  @ApiProperty({ format: 'date-time' })
  createdAt!: string;
}

export function showUser(row: User): UserView {
  const { id, organizationId, workspaceId, email, name, role, createdAt } = row;
  return { id, organizationId, workspaceId, email, name, role, createdAt: createdAt.toISOString() };
}
