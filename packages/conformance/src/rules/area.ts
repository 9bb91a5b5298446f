/** The type of an area of the contract: a function that registers its rules with the test runner. */
import type { Context } from '../harness/context.js'
import type { Settings } from '../options.js'

/** Registers one test of a rule. */
export type Rule = (name: string, test: (context: Context) => Promise<void>) => void

/** An area of the contract: registers its rules. */
export type Area = (rule: Rule, settings: Settings) => void
