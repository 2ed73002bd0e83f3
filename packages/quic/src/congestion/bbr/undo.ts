/**
 * What a loss changed, kept until it is known to be real: BBRSaveStateUponLoss and BBRHandleSpuriousLossDetection of
 * draft-ietf-ccwg-bbr. Taken back when every lost byte of the episode has arrived after all.
 */
import type { BbrModel } from './model.ts'
import { BbrMode } from './mode.ts'

export class Undo {
  mode: BbrMode = BbrMode.startup
  private shortTermBandwidth: number = Infinity
  private shortTermInflight: number = Infinity
  private longTermInflight: number = Infinity
  /** Packets sent up to this time belong to the episode; -Infinity: nothing to take back. */
  private until: number = -Infinity
  private missing: number = 0

  /** The first loss of an episode. */
  save(now: number, model: BbrModel): void {
    this.mode = model.mode
    this.shortTermBandwidth = model.shortTermBandwidth
    this.shortTermInflight = model.shortTermInflight
    this.longTermInflight = model.longTermInflight
    this.until = now
    this.missing = 0
  }

  onLost(sentAt: number, bytes: number): void {
    if (sentAt <= this.until) this.missing += bytes
  }

  /** True when the episode turns out to have been none. */
  onSpurious(sentAt: number, bytes: number): boolean {
    if (sentAt > this.until) return false
    this.missing -= bytes
    return this.missing <= 0
  }

  restore(model: BbrModel): void {
    model.shortTermBandwidth = Math.max(model.shortTermBandwidth, this.shortTermBandwidth)
    model.shortTermInflight = Math.max(model.shortTermInflight, this.shortTermInflight)
    model.longTermInflight = Math.max(model.longTermInflight, this.longTermInflight)
    this.forget()
  }

  forget(): void {
    this.until = -Infinity
    this.missing = 0
  }
}
