/** What Temporal UI says beside each activity: of parts, chunks and slices which one it is, of the others what they do. Never a value. */
import type { ActivityName } from './policies.ts';

const DOES: Readonly<Record<ActivityName, string>> = {
  hasAttributes: 'whether the search attributes are there',
  plan: 'encoding, delimiter, header',
  hash: 'content and record boundaries',
  claim: 'this batch is ours alone',
  findRun: 'whether the batch is imported already',
  upload: 'the source goes to storage',
  parse: 'rows are checked and staged',
  resolve: 'rows are matched with what is there',
  upsertPartition: 'rows go to the tables',
  stopPartition: 'rows land as they are, nothing is promoted',
  countPartition: 'what a commit would do is counted',
  comparePartition: 'tables against the source',
  finalize: 'counters and summary',
  reconcile: 'the final tables are counted',
  fail: 'the run is told why it ended',
  clearStage: 'the stage is emptied',
  writeRejects: 'rejected rows into a file',
  writeDifferences: 'what known rows say otherwise, into a file',
  writeOperations: 'operations of the rows into a file',
  planOfRun: 'the plan of the run',
  planTree: 'files, licences and images',
  claimDirectory: 'this batch is ours alone',
  hashSlice: 'images are hashed',
  uploadSlice: 'images go to storage',
  stageSlice: 'files are read and staged',
  verifySlice: 'files and images against the source',
  writeFailedItems: 'failed items into a file',
  mergeBatch: 'the batch goes to the tables',
  dropBatch: 'the batch is taken away',
  splitPush: 'the file is read and cut into batches',
  postBatch: 'a batch is posted',
  rememberPush: 'the content is noted as pushed',
  clearPush: 'its batches are removed from the host',
  findPushFiles: 'which files are to be pushed',
  discardDownload: 'the download is removed',
  prepareImport: 'the file of the schedule is found',
  assessAnomalies: 'anomalies of the window are counted',
  sendAlert: 'the webhook is told',
  sendNotice: 'the webhook is told',
  cleanImportData: 'old batches and anomalies are deleted',
  retireRuns: 'rows and files of old runs are deleted',
};

/** The numbers that arguments of activities have. */
interface Asked {
  readonly chunk?: number;
  readonly content?: { readonly chunks?: number };
  readonly part?: number;
  readonly parts?: number;
  readonly slice?: number;
  readonly plan?: { readonly slices?: number };
}

/** `part 7 of 36: rows go to the tables` */
export function summaryOf(name: ActivityName, asked: unknown): string {
  const { chunk, content, part, parts, slice, plan } = (asked ?? {}) as Asked;
  const place =
    placed('part', part, parts) ?? placed('chunk', chunk, content?.chunks) ?? placed('slice', slice, plan?.slices);
  return place ? `${place}: ${DOES[name]}` : DOES[name];
}

const placed = (what: string, index: number | undefined, of: number | undefined): string | undefined =>
  index === undefined ? undefined : `${what} ${index + 1}${of === undefined ? '' : ` of ${of}`}`;
