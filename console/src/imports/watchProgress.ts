import { imports } from '~/api/transport';
import { ResultFilter } from '~/gen/userimport/v1/import_service_pb';
import type { ImportProgress } from '~/gen/userimport/v1/types_pb';

/** Passes over all results of an import. */
const ALL_RESULTS = 0xffff_ffff;

interface Watched {
  readonly organization: string;
  readonly importId: string;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ImportProgress) => void;
}

/** Tells how far an import is until it ends, without its results. */
export async function watchProgress({ organization, importId, signal, onProgress }: Watched): Promise<void> {
  const request = {
    organization,
    importId,
    afterResult: ALL_RESULTS,
    resultFilter: ResultFilter.REJECTIONS,
  };
  for await (const { message } of imports.watchImport(request, { signal })) {
    if (message.case === 'progress') {
      onProgress(message.value);
    }
  }
}
