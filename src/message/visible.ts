/** For all layers above the errors, which quote what others wrote, too. */
export { plainOutput, visible, visibleJson, visibleJsonText, visibleLines } from '../visible.ts';
