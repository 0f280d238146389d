import { area } from '../case.ts'

export const errors = area('errors', {})
