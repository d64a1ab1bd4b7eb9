import { z } from 'zod';
import { actorAddress } from '../shared/input.ts';
import { parsePlan, type Plan, type PlanInput } from './plan.ts';

const AGENTS_MAX = 100;
const LEASE_MINUTES_DEFAULT = 10;
const LEASE_MINUTES_MAX = 24 * 60;
const MINUTES_DEFAULT = 8 * 60;
const MINUTES_MAX = 30 * 24 * 60;

const inputSchema = z.strictObject({
  /** Validated separately, because a plan can have faults beyond its shape. */
  plan: z.custom<PlanInput | string>((value) => value !== undefined && value !== null, 'expected a plan'),
  /** Who may claim. Default: everybody. */
  agents: z.array(actorAddress).min(1).max(AGENTS_MAX).optional(),
  /** How long a claim lasts after the last message about it. */
  leaseMinutes: z.number().positive().max(LEASE_MINUTES_MAX).default(LEASE_MINUTES_DEFAULT),
  /** The latest end of the distribution. */
  minutes: z.number().positive().max(MINUTES_MAX).default(MINUTES_DEFAULT),
  /** With `parent`, a completed task is done only when the parent accepts it. */
  acceptance: z.enum(['automatic', 'parent']).default('automatic'),
  /** With acceptance by a parent: when nothing is left, wait for ADD-TASKS or FINISH instead of ending. */
  staysOpen: z.boolean().default(false),
});

/** The input of a distribution. */
export type DistributionInput = z.input<typeof inputSchema>;

/** The input after validation, with defaults filled in. */
export interface Distribution {
  readonly plan: Plan;
  /** Null when everybody may claim. */
  readonly agents: readonly string[] | null;
  readonly leaseMinutes: number;
  readonly minutes: number;
  readonly acceptance: 'automatic' | 'parent';
  readonly staysOpen: boolean;
}

/** Throws a TypeError that lists all faults of the input on one line. */
export function parseDistribution(input: unknown, { hasParent }: { hasParent: boolean }): Distribution {
  const parsed = inputSchema.safeParse(input);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `${['input', ...path].join('.')}: ${message}`);
    throw refusal(faults.join('; '));
  }
  const { plan, agents, ...rest } = parsed.data;
  if (rest.acceptance === 'parent' && !hasParent)
    throw refusal('input.acceptance: "parent" needs a parent, and no workflow has started this one');
  if (rest.staysOpen && rest.acceptance !== 'parent')
    throw refusal('input.staysOpen: only a parent can add tasks, so it requires acceptance "parent"');
  return { ...rest, plan: parsePlan(plan), agents: agents ? [...new Set(agents)] : null };
}

function refusal(faults: string): TypeError {
  return new TypeError(
    `Invalid distribution: ${faults}. Expected, for example: {"plan":{"tasks":[…]},"agents":["…"],"leaseMinutes":10}`,
  );
}
