import { describe, expect, it } from '@jest/globals';
import { inputChecks, outputChecks, pushedChecks, runChecks } from '../../src/kit/testing/index.js';
import type { PushedInput } from '../../src/kit/index.js';
import { flawedInputs, soundInput, soundInputFixtures } from './sound-input.js';
import { flawedOutputs } from './flawed-outputs.js';
import { soundFixtures, soundOutput } from './sound-output.js';
import { flawedWebhooks, soundWebhook, soundWebhookFixtures } from './sound-webhook.js';

describe('the contract kit', () => {
  it('finds nothing wrong with a sound output', async () => {
    const outcomes = await runChecks(outputChecks, soundOutput, soundFixtures);
    expect(outcomes.filter(({ outcome }) => outcome === 'broken')).toEqual([]);
    expect(outcomes.filter(({ outcome }) => outcome === 'kept').length).toBeGreaterThan(20);
  });

  it.each(flawedOutputs)('notices $flaw', async ({ plugin, noticedBy }) => {
    const check = outputChecks.filter(({ name }) => name === noticedBy);
    const [outcome] = await runChecks(check, plugin, soundFixtures);
    expect(outcome).toMatchObject({
      name: noticedBy,
      outcome: 'broken',
      message: expect.stringMatching(/\S/),
    });
  });

  it('finds nothing wrong with a sound input', async () => {
    const outcomes = await runChecks(inputChecks, soundInput, soundInputFixtures());
    expect(outcomes.filter(({ outcome }) => outcome === 'broken')).toEqual([]);
  });

  it.each(flawedInputs)('notices $flaw', async ({ plugin, noticedBy }) => {
    const check = inputChecks.filter(({ name }) => name === noticedBy);
    const [outcome] = await runChecks(check, plugin, soundInputFixtures());
    expect(outcome).toMatchObject({
      name: noticedBy,
      outcome: 'broken',
      message: expect.stringMatching(/\S/),
    });
  });

  it('finds nothing wrong with a sound webhook, and leaves nothing out', async () => {
    const outcomes = await runChecks(pushedChecks, soundWebhook, soundWebhookFixtures);
    expect(outcomes.filter(({ outcome }) => outcome !== 'kept')).toEqual([]);
  });

  it.each(flawedWebhooks)('notices $flaw', async ({ plugin, noticedBy }) => {
    const check = pushedChecks.filter(({ name }) => name === noticedBy);
    const [outcome] = await runChecks(check, plugin, soundWebhookFixtures);
    expect(outcome).toMatchObject({
      name: noticedBy,
      outcome: 'broken',
      message: expect.stringMatching(/\S/),
    });
  });

  it('notices a webhook whose fixtures prove nothing, or are missing', async () => {
    const { webhook, ...bare } = soundWebhookFixtures;
    const broken = async (fixtures: typeof soundWebhookFixtures) => {
      const outcomes = await runChecks(pushedChecks, soundWebhook, fixtures);
      return outcomes.filter(({ outcome }) => outcome === 'broken').map(({ name }) => name);
    };
    const unproven = {
      requestOf: (name: string) => webhook?.requestOf(name) ?? {},
      refused: webhook?.refused ?? [],
    };
    expect(await broken({ ...bare, webhook: unproven })).toEqual(['some proof of the sender is known']);
    expect(await broken(bare)).toContain('some proof of the sender is known');
  });

  it('asks of an input with the trigger upload only what it says of itself', async () => {
    const upload: PushedInput = { ...soundWebhook, trigger: { type: 'upload' } };
    const outcomes = await runChecks(pushedChecks, upload, soundWebhookFixtures);
    expect(outcomes.filter(({ outcome }) => outcome === 'broken')).toEqual([]);
    const kept = outcomes.filter(({ outcome }) => outcome === 'kept').map(({ name }) => name);
    expect(kept).toContain('every field of the credentials is marked as secret');
    expect(kept).not.toContain('a bad signature is refused');
  });

  it('has a flaw on trial for every check that a flaw can be made for', () => {
    const tried = new Set(
      [...flawedOutputs, ...flawedInputs, ...flawedWebhooks].map(({ noticedBy }) => noticedBy),
    );
    const untried = [...outputChecks, ...inputChecks, ...pushedChecks]
      .map(({ name }) => name)
      .filter((name) => !tried.has(name));
    expect([...new Set(untried)].sort()).toEqual([
      'check resolves where the configuration works',
      'finishing a whole state twice equals finishing it once',
      'name and description are given',
      'settings and credentials have a JSON Schema',
      'some proof of the sender is known',
    ]);
  });
});
