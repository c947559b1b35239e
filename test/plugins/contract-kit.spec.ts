import { describe, expect, it } from '@jest/globals';
import { inputChecks, outputChecks, runChecks } from '../../src/kit/testing/index.js';
import { flawedInputs, soundInput, soundInputFixtures } from './sound-input.js';
import { flawedOutputs } from './flawed-outputs.js';
import { soundFixtures, soundOutput } from './sound-output.js';

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

  it('has a flaw on trial for every check that a flaw can be made for', () => {
    const tried = new Set([...flawedOutputs, ...flawedInputs].map(({ noticedBy }) => noticedBy));
    const untried = [...outputChecks, ...inputChecks]
      .map(({ name }) => name)
      .filter((name) => !tried.has(name));
    expect([...new Set(untried)].sort()).toEqual([
      'check resolves where the configuration works',
      'finishing a whole state twice equals finishing it once',
      'name and description are given',
      'settings and credentials have a JSON Schema',
    ]);
  });
});
