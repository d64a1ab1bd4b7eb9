import fs from 'node:fs';
import path from 'node:path';
import type { Agent, Mail } from 'agent-mailroom';
import { crashMatrix } from 'agent-mailroom/testing';
import { describe, expect, it } from 'vitest';
import { amount } from '../run/amount.ts';

const fixture = (name: string): string => path.join(import.meta.dirname, '..', '..', 'fixtures', 'testing', name);

describe('crashMatrix', () => {
  it('finds what a machine keeps in a variable of its module: the run after a kill has a fresh process', async () => {
    const workflows = [{ file: fixture('keeps-in-module.mjs'), address: 'm' }] as const;
    const forgotten =
      'the result is {"status":"done","output":"forgotten"}, without kills it is {"status":"done","output":"secret"}';
    const found = (await crashMatrix({ workflows, kills: 'simulated', realStride: 1_000, seed: 1 })).failures;
    expect(found.flatMap(({ faults }) => faults)).toContain(forgotten);
    // The first of them is at the edge of the places between the two activities.
    const [, between] = found;
    const real = await crashMatrix({ workflows, only: [between?.kills ?? []] });
    expect(real.realKills).toBe(1);
    expect(real.failures.map(({ faults }) => faults)).toEqual([[forgotten]]);
    for (const { directory } of [...found, ...real.failures]) fs.rmSync(path.dirname(directory), { recursive: true });
  });

  it('passes a machine that has ended when the other answers come', async () => {
    const answer = async ({ message }: Mail, agent: Agent): Promise<void> => {
      if (message.type === 'INFO') await agent.send({ to: 'm', type: 'YES', content: '' });
    };
    const { failures, kills } = await crashMatrix({
      workflows: [{ file: fixture('first-wins.mjs'), address: 'm' }],
      agents: { alice: answer, bob: answer, carol: answer },
      only: [[4], [8]],
    });
    expect(failures).toEqual([]);
    expect(kills).toBe(2);
  });

  it('passes a machine that handles what can never be delivered', async () => {
    const { failures, kills } = await crashMatrix({
      workflows: [{ file: fixture('nobody-there.mjs'), address: 'm' }],
      only: [[6], [12]],
    });
    expect(failures).toEqual([]);
    expect(kills).toBe(2);
  });

  it('lets the other workflows take what the first sends as it ends, and takes a default export', async () => {
    const { failures, kills, realKills, places } = await crashMatrix({
      workflows: [
        { file: fixture('pair.mjs'), name: 'first', address: 'first' },
        { file: fixture('pair.mjs'), address: 'second' },
      ],
      kills: 'simulated',
      stride: 8,
      realStride: amount(4, { long: 1 }),
    });
    expect(failures).toEqual([]);
    expect(kills).toBeGreaterThan(realKills);
    expect(realKills).toBeGreaterThan(0);
    expect(places).toBeGreaterThan(16);
  });

  it('says at once which agent failed, at which message, and where the workflows were', async () => {
    const { failures } = await crashMatrix({
      workflows: [{ file: fixture('first-wins.mjs'), address: 'm' }],
      agents: {
        bob: () => {
          throw new Error('no answer today');
        },
      },
    });
    expect(failures.map(({ kills, faults }) => ({ kills, faults }))).toEqual([
      { kills: [], faults: ['the agent bob failed at INFO from m: no answer today', 'm is at asking'] },
    ]);
    for (const { directory } of failures) fs.rmSync(path.dirname(directory), { recursive: true });
  });

  it('is not content with a machine that fails in every run, unless that is said to be right', async () => {
    const workflows = [{ file: fixture('fails.mjs'), address: 'm' }] as const;
    const error = { status: 'error', error: { message: 'there is no input' } };
    const { failures, result } = await crashMatrix({ workflows });
    expect(result).toMatchObject(error);
    expect(failures).toMatchObject([
      { kills: [], faults: [expect.stringMatching(/^it ended as .*there is no input/)] },
    ]);
    for (const { directory } of failures) fs.rmSync(path.dirname(directory), { recursive: true });
    expect(await crashMatrix({ workflows, only: [], compares: ({ status }) => status })).toMatchObject({
      failures: [],
      result: error,
    });
  });

  it('refuses a stride that cannot be', async () => {
    for (const stride of [0, -1, 0.5, Number.NaN]) {
      const matrix = crashMatrix({ workflows: [{ file: fixture('fails.mjs'), address: 'm' }], stride });
      await expect(matrix).rejects.toThrow(`the stride is ${stride}: expected a whole number from 1 on`);
    }
  });
});
