import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Work } from '../../machines/member/heard.ts';
import { Holding } from '../../machines/member/holding.ts';

const LOOP = 'autonomous-dev-loop.distributor-4';
const OFFERS = ['sum', 'product'].map((id) => ({ id, epoch: 1 }));
const work = (taskId: string, epoch = 1): Work => ({
  kind: 'start',
  taskId,
  epoch,
  title: taskId,
  description: '',
  files: [],
  workspace: { directory: '/', branch: 'main' },
});

let file: string;
beforeEach(() => {
  file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-holding-')), 'task.json');
});
afterEach(() => fs.rmSync(path.dirname(file), { recursive: true }));

it('claims the first offered task, and no second one while it holds one', () => {
  const holding = new Holding(file);
  expect(holding.wanted()).toBeNull();
  holding.offered(LOOP, OFFERS);
  expect(holding.wanted()).toEqual({ taskId: 'sum', distributor: LOOP });
  holding.claim({ taskId: 'sum', distributor: LOOP });
  expect(holding.wanted()).toBeNull();
  holding.free();
  expect(holding.wanted()?.taskId).toBe('sum');
});

it('starts only a task that it has claimed, from the distributor it claimed it from', () => {
  const holding = new Holding(file);
  expect(holding.mayBegin(work('sum'), LOOP)).toBe(false);
  holding.claim({ taskId: 'sum', distributor: LOOP });
  expect(holding.mayBegin(work('product'), LOOP)).toBe(false);
  expect(holding.mayBegin(work('sum'), 'mallory')).toBe(false);
  expect(holding.isAtWork(work('sum'))).toBe(false);
  expect(holding.mayBegin(work('sum'), LOOP)).toBe(true);
  holding.begin(work('sum'), LOOP);
  expect(holding.isAtWork(work('sum'))).toBe(true);
  expect(holding.isAtWork(work('sum', 2))).toBe(false);
});

it('does not claim a task again that it gave back, even after a restart', () => {
  const before = new Holding(file);
  before.claim({ taskId: 'sum', distributor: LOOP });
  before.begin(work('sum'), LOOP);
  expect(new Holding(file).task).toEqual({ taskId: 'sum', epoch: 1, distributor: LOOP, state: 'at-work' });
  before.giveBack('sum');
  const after = new Holding(file);
  after.offered(LOOP, OFFERS);
  expect(after.task).toBeNull();
  expect(after.wanted()?.taskId).toBe('product');
});
