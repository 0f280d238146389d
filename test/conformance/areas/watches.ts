import { area } from '../case.ts'

export const watches = area('watches', {})
