/** What an area of the contract is: rules to be registered with whatever runs the suite. */
import type { Context } from '../harness/context.js'
import type { Settings } from '../options.js'

/** Registers one test of a rule. */
export type Rule = (name: string, test: (context: Context) => Promise<void>) => void

/** An area of the contract: registers its rules. */
export type Area = (rule: Rule, settings: Settings) => void
