import { describe, expect, it } from '@jest/globals';
import type { z } from 'zod';
import { type InputConnector, isScheduled, type PushedInput, type ScheduledInput } from '../input.js';
import { publicShapeOf } from '../public-shape.js';
import { inputChecks } from './input-checks.js';
import type { InputFixtures } from './input-rig.js';
import { pushedChecks } from './pushed-checks.js';
import type { PushedFixtures } from './pushed-rig.js';
import { registerChecks } from './register-checks.js';

/**
 * Registers the contract tests of an input: one call in its spec. `title` tells several fixtures apart. What is
 * tested, and what the fixtures are, goes by the input's trigger.
 */
export function describeInput<C extends z.ZodObject, K extends z.ZodObject>(
  plugin: ScheduledInput<C, K>,
  fixtures: InputFixtures<C, K>,
  title?: string,
): void;
export function describeInput<C extends z.ZodObject, K extends z.ZodObject>(
  plugin: PushedInput<C, K>,
  fixtures: PushedFixtures<C, K>,
  title?: string,
): void;
export function describeInput(
  plugin: InputConnector,
  fixtures: InputFixtures | PushedFixtures,
  title = 'the contract',
): void {
  describe(`input ${plugin.id}: ${title}`, () => {
    it('has the public shape that is on record', () => {
      expect(publicShapeOf(plugin)).toMatchSnapshot();
    });
    if (isScheduled(plugin)) registerChecks(inputChecks, plugin, fixtures as InputFixtures);
    else registerChecks(pushedChecks, plugin, fixtures as PushedFixtures);
  });
}
