// A member of the team, in a process of its own. The member speaks the team's protocol; the agent program behind it, its mind,
// does the thinking and the editing. The run's host starts it; see machines/README.md.
import path from 'node:path';
import { openRoom } from 'agent-mailroom';
import { plainOutput, visible } from 'agent-mailroom/workflow';
import { runMember } from '../member/run-member.ts';
import { parseMember } from '../member/terms.ts';
import { hostGone } from './run-host.ts';
import { tell } from './show.ts';

const terms = parseMember(process.argv.slice(2));
const leaving = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => leaving.abort());
await using room = await openRoom({ directory: path.join(terms.directory, '.mailroom') });
await runMember(room, terms, {
  signal: leaving.signal,
  hostGone: hostGone(terms.directory),
  say: (text) => tell(visible(`${new Date().toISOString().slice(11, 23)} ${plainOutput(text)}`)),
});
