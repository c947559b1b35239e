import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsEmail, IsIn, IsOptional, IsString, Length } from 'class-validator';
import { ROLES, type Role, type users } from '../../../platform/database/index.js';
import { IsName, WorkspacePageQuery } from '../../http/index.js';
import { OfWorkspaceOrOrganization } from '../owner.dto.js';

export type User = typeof users.$inferSelect;

/** A person who gets mail. Give a workspace, or an organization for all of its workspaces. */
export class CreateUser extends OfWorkspaceOrOrganization {
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

export class SetPassword {
  @ApiProperty({ minLength: 12, maxLength: 255, description: 'The hub keeps its scrypt hash only' })
  @IsString()
  @Length(12, 255)
  password!: string;
}

export class UsersQuery extends WorkspacePageQuery {}

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
  @ApiProperty({ description: "The user's number in IQM's API (uowId)" })
  number!: number;
  @ApiProperty({ description: 'True where the user has a password, and so can log in' })
  canLogIn!: boolean;
  @ApiProperty({ format: 'date-time' })
  createdAt!: string;
}

export function showUser(row: User): UserView {
  const { id, organizationId, workspaceId, email, name, role, number } = row;
  const canLogIn = row.passwordHash !== null;
  const createdAt = row.createdAt.toISOString();
  return { id, organizationId, workspaceId, email, name, role, number, canLogIn, createdAt };
}
