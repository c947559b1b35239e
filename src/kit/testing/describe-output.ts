import { describe, expect, it } from '@jest/globals';
import type { z } from 'zod';
import type { IdentityType } from '../identity-types.js';
import type { OutputConnector } from '../output.js';
import { publicShapeOf } from '../public-shape.js';
import { registerChecks } from './register-checks.js';
import { outputChecks } from './output-checks.js';
import type { OutputFixtures } from './output-rig.js';

/** Registers the contract tests of an output: one call in its spec. `title` tells several fixtures apart. */
export function describeOutput<
  C extends z.ZodObject,
  K extends z.ZodObject,
  S extends z.ZodObject,
  I extends IdentityType,
>(plugin: OutputConnector<C, K, S, I>, fixtures: OutputFixtures<C, K, S, I>, title = 'the contract'): void {
  describe(`output ${plugin.id}: ${title}`, () => {
    it('has the public shape that is on record', () => {
      expect(publicShapeOf(plugin)).toMatchSnapshot();
    });
    registerChecks(outputChecks, plugin, fixtures);
  });
}
