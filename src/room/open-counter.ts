import type { RoomContext } from './context.ts';

/** One sender's grants. */
export interface RateCounter {
  grant(wanted: { idAt: (timeMs: number) => string } | { id: string }): Promise<{ id: string; timeMs: number }>;
  close(): void;
}

export function createRateCounter(context: RoomContext, _address: string): RateCounter {
  return {
    grant: async (wanted) => {
      const timeMs = context.host.clock.now();
      return { id: 'id' in wanted ? wanted.id : wanted.idAt(timeMs), timeMs };
    },
    close: () => {},
  };
}
