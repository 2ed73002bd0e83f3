// The transport parameters the stream room works by (RFC 9000 §18.2).

import type { TransportParameters } from '../wire/transport-parameters/table.ts'

/** Sizes in bytes, counts of streams; named from the view of who declares them. */
export type StreamLimitParameters = Readonly<
  Pick<
    TransportParameters,
    | 'initialMaxData'
    | 'initialMaxStreamDataBidiLocal'
    | 'initialMaxStreamDataBidiRemote'
    | 'initialMaxStreamDataUni'
    | 'initialMaxStreamsBidi'
    | 'initialMaxStreamsUni'
  > &
    Partial<Pick<TransportParameters, 'resetStreamAt'>>
>
