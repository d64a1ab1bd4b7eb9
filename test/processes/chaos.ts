import type { Child } from './child.ts';
import { until } from './child.ts';
import { createRandom } from '../run/seed.ts';

const random = createRandom();

export interface Chaos {
  /** How many processes run at once, and how each is started, again after each kill. */
  readonly racers: number;
  readonly start: (racer: number) => Child;
  readonly kills: number;
  readonly stops: number;
  /** Something that grows while any process gets on; what comes next waits for that. */
  readonly progress: () => number;
  readonly progressStep: number;
}

export interface ChaosResult {
  readonly kills: number;
  readonly stops: number;
  /** Ends the processes: resolves when each that was running has ended by itself. */
  readonly finish: (tell: () => void) => Promise<void>;
}

/**
 * Kills and stops processes that race, at random: a killed one is started again, a stopped one sleeps until the others
 * have got on without it. Throws when they do not, or when one ends by itself.
 */
export async function chaos(options: Chaos): Promise<ChaosResult> {
  const children = Array.from({ length: options.racers }, (_, racer) => options.start(racer));
  const untilProgress = async (what: string): Promise<void> => {
    const from = options.progress();
    await until(what, () => options.progress() >= from + options.progressStep);
  };
  let kills = 0;
  let stops = 0;
  try {
    while (kills < options.kills || stops < options.stops) {
      await untilProgress('the racers get on');
      const racer = Math.floor(random() * options.racers);
      const child = children[racer];
      if (!child) continue;
      if (child.process.exitCode !== null) throw new Error(`racer ${racer} ended: ${(await child.ended).stderr}`);
      if (stops >= options.stops || (kills < options.kills && random() < 0.5)) {
        kills += 1;
        child.process.kill('SIGKILL');
        await child.ended;
        children[racer] = options.start(racer);
      } else {
        stops += 1;
        child.process.kill('SIGSTOP');
        try {
          await untilProgress('the others get on while one is stopped');
        } finally {
          child.process.kill('SIGCONT');
        }
      }
    }
  } catch (error) {
    for (const child of children) child.process.kill('SIGKILL');
    throw error;
  }
  return {
    kills,
    stops,
    finish: async (tell) => {
      tell();
      const ends = await Promise.all(children.map(({ ended }) => ended));
      const bad = ends.find(({ code }) => code !== 0);
      if (bad) throw new Error(`a racer ended with ${bad.code ?? bad.signal}: ${bad.stderr}`);
    },
  };
}
