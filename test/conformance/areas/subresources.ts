import { area } from '../case.ts'

export const subresources = area('subresources', {})
