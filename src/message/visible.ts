/** For all layers above the errors, which quote what others wrote, too. */
export { plainOutput, visible, visibleJson, visibleLines } from '../visible.ts';
