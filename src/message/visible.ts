/** Here for the layers above; `../visible.ts` itself is below the errors, which quote what others wrote too. */
export { isPlain, plainOutput, visible, visibleJson, visibleJsonText, visibleLines } from '../visible.ts';
