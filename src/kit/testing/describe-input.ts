import { describe, expect, it } from '@jest/globals';
import type { z } from 'zod';
import type { InputConnector } from '../input.js';
import { publicShapeOf } from '../public-shape.js';
import { inputChecks } from './input-checks.js';
import type { InputFixtures } from './input-rig.js';
import { registerChecks } from './register-checks.js';

/** Registers the contract tests of an input: one call in its spec. `title` tells several fixtures apart. */
export function describeInput<C extends z.ZodObject, K extends z.ZodObject>(
  plugin: InputConnector<C, K>,
  fixtures: InputFixtures<C, K>,
  title = 'the contract',
): void {
  describe(`input ${plugin.id}: ${title}`, () => {
    it('has the public shape that is on record', () => {
      expect(publicShapeOf(plugin)).toMatchSnapshot();
    });
    registerChecks(inputChecks, plugin, fixtures);
  });
}
