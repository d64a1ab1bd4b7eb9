import { dyingFiles, killSelf } from '../../host/dying-files.ts';
import { nodeHost } from '../../host/node-host.ts';
import { loadWorkflows, runWorkflows, type CrashRun, type RanToItsEnd } from './run-workflows.ts';

async function run(told: CrashRun): Promise<RanToItsEnd> {
  const { files, changes } = dyingFiles(nodeHost.files, told.killAt);
  const result = await runWorkflows({ ...nodeHost, files }, told, await loadWorkflows(told.workflows));
  return { changes: changes(), result };
}

// A run that fails ends the process, as one that is killed does, and its stderr says why.
process.on('message', (told) => void run(told as CrashRun).then((ran) => process.send?.(ran)));
// Nobody waits for this run any more: whoever asked for it is gone, or has given it up.
process.on('disconnect', killSelf);
