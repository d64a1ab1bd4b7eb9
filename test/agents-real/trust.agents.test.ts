import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROGRAMS } from './programs.ts';
import { openRealRoom } from './real-room.ts';
import { outcome } from './table.ts';

describe.each(PROGRAMS.map((program) => [program.preset, program] as const))('%s', (_, program) => {
  it('hooks, plugins and MCP servers of a repository, with --trust-directory', async (context) => {
    await using real = await openRealRoom(program, context);
    const marks = path.join(real.place.home, 'marks');
    fs.mkdirSync(marks);
    program.repository.setUp(real.place.project, (mark) => `touch ${path.join(marks, mark)}`);
    await real.startTrusted();
    expect((await real.room.ask('bob', 'a question')).content).toBe('reply 1');
    const ran = fs.readdirSync(marks).sort();
    expect(ran).toEqual(program.repository.runs);
    outcome(context, ran.length === 0 ? 'none is run' : `**run**: ${ran.join(', ')}`);
  });
});
