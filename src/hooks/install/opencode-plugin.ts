import { sha256Hex } from '../../host/sha256.ts';
import { HOOK_EVENTS } from '../programs.ts';
import { hookCommand, readHookCommand, type Calling, type ReadCommand } from './hook-command.ts';

const FIRST_LINE = /^\/\/ Mailroom's plugin for opencode \(sha256 ([0-9a-f]{16})\)\.[^\n]*\n/;
const COMMANDS = /^const COMMANDS = (\{[^\n]*\});$/m;

/** The plugin file that joins sessions of opencode. Its first line names Mailroom and holds a hash of all other lines. */
export function pluginText(calling: Calling): string {
  const commands = Object.keys(HOOK_EVENTS.opencode).map((event) => [event, hookCommand('opencode', event, calling)]);
  const body = BODY.replace('__COMMANDS__', () => JSON.stringify(Object.fromEntries(commands)));
  return `// Mailroom's plugin for opencode (sha256 ${hashOf(body)}). Remove it with: mailroom hooks remove opencode\n${body}`;
}

export interface PluginFacts {
  /** The file is unchanged since Mailroom wrote it. */
  readonly isAsWritten: boolean;
  readonly commands: readonly ReadCommand[];
}

/** The facts in a plugin file; undefined for a file that Mailroom did not write. */
export function readPlugin(text: string): PluginFacts | undefined {
  const first = FIRST_LINE.exec(text);
  if (!first) return undefined;
  const commands = Object.values(commandsIn(text)).flatMap((command) => readHookCommand('opencode', command) ?? []);
  return { isAsWritten: first[1] === hashOf(text.slice(first[0].length)), commands };
}

function commandsIn(text: string): Record<string, unknown> {
  try {
    return JSON.parse(COMMANDS.exec(text)?.[1] ?? '{}') as Record<string, unknown>;
  } catch {
    return {};
  }
}

function hashOf(body: string): string {
  return sha256Hex(body).slice(0, 16);
}

/**
 * JavaScript for the runtime of opencode, written against the types of @opencode-ai/plugin 1.18.33. It calls a command for each
 * event, with `{ session_id, cwd, hook_event_name, … }` on its stdin, and follows the JSON on its stdout: `context` goes into
 * the running turn, `continueWith` starts another turn, `env` is added to the environment of the session's shell commands. Exit
 * code 2 also starts another turn, with the text on stderr.
 */
const BODY = `import { spawn } from 'node:child_process';

const COMMANDS = __COMMANDS__;
const ANSWER_MS_MAX = 10_000;
const ANSWER_CHARS_MAX = 100_000;

export const Mailroom = async ({ client, directory }) => {
  /** What is known of each session: its parent, whether and why it has to be opened, its waiter, its environment. */
  const sessions = new Map();

  /** Runs the command of an event. Resolves with its answer, and with {} whatever goes wrong. */
  const start = (event, sessionID, more = {}, timeoutMs = ANSWER_MS_MAX) => {
    let child;
    const answer = new Promise((resolve) => {
      const signal = timeoutMs === null ? undefined : AbortSignal.timeout(timeoutMs);
      try {
        child = spawn('/bin/sh', ['-c', COMMANDS[event]], { cwd: directory, stdio: 'pipe', signal });
      } catch {
        return resolve({});
      }
      const texts = ['', ''];
      for (const [index, stream] of [child.stdout, child.stderr].entries()) {
        stream.setEncoding('utf8').on('data', (part) => {
          if (texts[index].length < ANSWER_CHARS_MAX) texts[index] += part;
        });
      }
      child.on('error', () => resolve({}));
      child.on('close', (code) => {
        if (code === 2) return resolve({ continueWith: texts[1].trim() });
        try {
          resolve(JSON.parse(texts[0]) ?? {});
        } catch {
          resolve({});
        }
      });
      child.stdin.on('error', () => {});
      child.stdin.end(JSON.stringify({ session_id: sessionID, cwd: directory, hook_event_name: event, ...more }));
    });
    return { answer, stop: () => child?.kill('SIGTERM') };
  };
  const ask = (event, sessionID, more) => start(event, sessionID, more).answer;

  /** The session, unless it is a subagent's: those show and acknowledge nothing. */
  const sessionOf = async (sessionID) => {
    let session = sessions.get(sessionID);
    if (!session) {
      const parent = client.session
        .get({ path: { id: sessionID } })
        .then(({ data }) => data?.parentID)
        .catch(() => undefined);
      session = { source: 'resume', isPrompted: false, isContinued: false, env: {}, parent };
      sessions.set(sessionID, session);
    }
    return (await session.parent) === undefined ? session : undefined;
  };

  /** What a session is told first, and again when it has lost it. */
  const openingOf = async (session, sessionID) => {
    const { source } = session;
    if (source === undefined) return undefined;
    session.source = undefined;
    const { context, env } = await ask('session.start', sessionID, { source });
    if (env && typeof env === 'object') session.env = env;
    return context;
  };

  const stopWaiting = (session) => {
    session.waiter?.stop();
    session.waiter = undefined;
  };

  /** A turn that nobody at the keyboard asked for; what they have typed so far stays as it is. */
  const prompt = (session, sessionID, text) => {
    stopWaiting(session);
    session.isPrompted = true;
    client.session
      .promptAsync({ path: { id: sessionID }, body: { parts: [{ type: 'text', text, synthetic: true }] } })
      .catch((error) => ({ error }))
      .then((result) => {
        if (!result?.error) return;
        session.isPrompted = false;
        // The model has not got the text: the next opening shows again what is not acknowledged.
        session.source ??= 'resume';
      });
  };

  const idle = async (session, sessionID) => {
    const { continueWith } = await ask('session.idle', sessionID, { stop_hook_active: session.isContinued });
    if (continueWith) return prompt(session, sessionID, continueWith);
    stopWaiting(session);
    const waiter = start('wake', sessionID, {}, null);
    session.waiter = waiter;
    const woken = await waiter.answer;
    if (session.waiter === waiter && woken.continueWith) prompt(session, sessionID, woken.continueWith);
  };

  const end = (session, sessionID) => {
    stopWaiting(session);
    sessions.delete(sessionID);
    return ask('session.end', sessionID);
  };

  return {
    event: async ({ event }) => {
      if (event.type === 'session.created') {
        const { id, parentID } = event.properties.info;
        sessions.set(id, { source: 'startup', isPrompted: false, isContinued: false, env: {}, parent: Promise.resolve(parentID) });
      } else if (event.type === 'session.idle') {
        const { sessionID } = event.properties;
        const session = await sessionOf(sessionID);
        if (session) void idle(session, sessionID);
      } else if (event.type === 'session.compacted') {
        const session = sessions.get(event.properties.sessionID);
        if (session) session.source = 'compact';
      } else if (event.type === 'session.deleted') {
        const { id, parentID } = event.properties.info;
        const session = sessions.get(id);
        sessions.delete(id);
        if (session && parentID === undefined) await end(session, id);
      }
    },
    'chat.message': async ({ sessionID }, { message, parts }) => {
      const session = await sessionOf(sessionID);
      if (!session) return;
      stopWaiting(session);
      const by = session.isPrompted ? 'mailroom' : 'person';
      session.isContinued = session.isPrompted;
      session.isPrompted = false;
      const opening = await openingOf(session, sessionID);
      const { context } = await ask('chat.message', sessionID, { prompted_by: by });
      const text = [opening, context].filter(Boolean).join('\\n\\n');
      const id = parts.at(-1)?.id;
      if (text === '') return;
      parts.push({ id: \`\${id ?? 'prt_'}m\`, sessionID, messageID: message.id, type: 'text', text, synthetic: true });
    },
    'tool.execute.after': async ({ sessionID, tool, callID }, output) => {
      const session = await sessionOf(sessionID);
      if (!session || typeof output?.output !== 'string') return;
      const opening = await openingOf(session, sessionID);
      const { context } = await ask('tool.execute.after', sessionID, { tool_name: tool, tool_use_id: callID });
      output.output = [output.output, opening, context].filter(Boolean).join('\\n\\n');
    },
    'shell.env': async ({ sessionID }, output) => {
      Object.assign(output.env, sessions.get(sessionID)?.env);
    },
    dispose: async () => {
      await Promise.all([...sessions].map(async ([id, session]) => (await session.parent) ?? end(session, id)));
    },
  };
};
`;
